/** Two pictures of one place, one over the other, with a slider between them. */
import { useCallback, useRef, useState, type PointerEvent } from "react";
import { useT } from "../i18n";

export function BeforeAfter({ before, after, onError }: { before: string; after: string; onError(): void }) {
  const t = useT();
  const [share, setShare] = useState(50);
  const stage = useRef<HTMLDivElement>(null);
  const move = useCallback((event: PointerEvent) => {
    const box = stage.current?.getBoundingClientRect();
    if (box && event.buttons === 1) setShare(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
  }, []);
  return (
    <div className="compare" ref={stage} onPointerDown={move} onPointerMove={move}>
      <img src={after} alt={t("media.after")} draggable={false} onError={onError} />
      <img src={before} alt={t("media.before")} draggable={false} onError={onError} style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }} />
      <span className="compare-label compare-before" style={{ opacity: share > 14 ? 1 : 0 }}>
        {t("media.before")}
      </span>
      <span className="compare-label compare-after" style={{ opacity: share < 86 ? 1 : 0 }}>
        {t("media.after")}
      </span>
      <span className="compare-line" style={{ left: `${share}%` }} aria-hidden />
      <input
        type="range"
        min={0}
        max={100}
        value={share}
        aria-label={t("media.slider")}
        onChange={(event) => setShare(Number(event.target.value))}
      />
    </div>
  );
}
