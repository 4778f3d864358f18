/** A bar for each day of a month. */
import { useT } from "../i18n";
import { niceTop } from "./AreaChart";

const [WIDTH, HEIGHT, FOOT, LEFT] = [560, 120, 18, 30];

export function DayBars({ days }: { days: { day: string; count: number }[] }) {
  const t = useT();
  const top = niceTop(Math.max(1, ...days.map((d) => d.count)));
  const step = (WIDTH - LEFT) / Math.max(1, days.length);
  const y = (count: number) => (HEIGHT - FOOT) * (1 - count / top) + 6;
  return (
    <svg className="day-bars" viewBox={`0 0 ${WIDTH} ${HEIGHT + 6}`} role="img" aria-label={t("report.byDay")}>
      {[0, top].map((count) => (
        <g key={count}>
          <line className="chart-grid" x1={LEFT} x2={WIDTH} y1={y(count)} y2={y(count)} />
          <text className="chart-label" x={LEFT - 6} y={y(count) + 4} textAnchor="end">
            {count}
          </text>
        </g>
      ))}
      {days.map((d, i) => (
        <g key={d.day}>
          <rect x={LEFT + i * step + 1} y={y(d.count)} width={Math.max(1, step - 2)} height={Math.max(0, y(0) - y(d.count))} rx={1.5}>
            <title>{t("report.day", { day: d.day, count: d.count })}</title>
          </rect>
          {i % 5 === 0 && (
            <text className="chart-label" x={LEFT + i * step + step / 2} y={HEIGHT + 2} textAnchor="middle">
              {Number(d.day.slice(-2))}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}
