/** Area of each structure of a roof against the date of the surveys, with its standard deviation. */
import type { Roof, RoofStructure } from "../api/types";
import { useT } from "../i18n";
import { day } from "../lib/format";
import { structureKey } from "../lib/roofs";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [560, 170, 44, 26, 14, 14];

export function AreaChart({ roof, chosen }: { roof: Roof; chosen: RoofStructure | undefined }) {
  const t = useT();
  const dates = [...new Set(roof.looks.map((look) => look.flown_at))].sort();
  const [first, last] = [dates[0], dates.at(-1)];
  if (!first || !last || roof.structures.length === 0) return <p className="muted">{t("roofs.nothing")}</p>;
  const [begin, end] = [Date.parse(first), Date.parse(last)];
  const areas = roof.structures.flatMap((s) => s.sightings.map((v) => v.area_square_meters + v.area_error_square_meters));
  const top = niceTop(Math.max(...areas));
  const x = (at: string) => LEFT + ((Date.parse(at) - begin) / Math.max(1, end - begin)) * (WIDTH - LEFT - RIGHT);
  const y = (area: number) => HEIGHT - BOTTOM - (Math.min(area, top) / top) * (HEIGHT - BOTTOM - TOP);
  return (
    <svg className="area-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("roofs.growth")}>
      {[0, top / 2, top].map((area) => (
        <g key={area}>
          <line className="chart-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(area)} y2={y(area)} />
          <text className="chart-label" x={LEFT - 6} y={y(area) + 4} textAnchor="end">
            {t("roofs.area", { area })}
          </text>
        </g>
      ))}
      {dates.map((at, i) => (
        <text key={at} className="chart-label" x={x(at)} y={HEIGHT - 8} textAnchor={i === 0 ? "start" : i === dates.length - 1 ? "end" : "middle"}>
          {day(at, t.language)}
        </text>
      ))}
      {roof.structures.map((s) => (
        <g key={structureKey(s)} className={`chart-line roof-${s.state}`} data-chosen={s === chosen || undefined}>
          <polyline points={s.sightings.map((v) => `${x(v.at)},${y(v.area_square_meters)}`).join(" ")} />
          {s.sightings.map((v) => (
            <g key={v.survey}>
              <line
                x1={x(v.at)}
                x2={x(v.at)}
                y1={y(v.area_square_meters + v.area_error_square_meters)}
                y2={y(Math.max(0, v.area_square_meters - v.area_error_square_meters))}
              />
              <circle cx={x(v.at)} cy={y(v.area_square_meters)} r={3.5}>
                <title>{`${day(v.at, t.language)}: ${v.area_square_meters.toFixed(1)} ± ${v.area_error_square_meters.toFixed(1)} m²`}</title>
              </circle>
            </g>
          ))}
        </g>
      ))}
    </svg>
  );
}

/** The next 1, 2 or 5 times a power of ten. */
export function niceTop(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * unit).find((step) => step >= value) ?? 10 * unit;
}
