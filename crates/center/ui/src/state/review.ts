/** One incident at a time, claimed so that no two people judge the same; given back when one goes on without judging. */
import { useCallback, useEffect, useRef, useState } from "react";
import { room } from "../api/room";
import type { Review } from "../api/types";

/** A claim is renewed well before it runs out. */
const RENEW_MS = 45_000;

export interface Queue {
  review: Review | null;
  error: unknown;
  loading: boolean;
  skipped: number;
  /** Goes on to the next one; this one is given back unless it was judged. */
  next(judged: boolean): void;
  /** Looks again at what was skipped. */
  again(): void;
}

export function useReviewQueue(site: string | null): Queue {
  const [review, setReview] = useState<Review | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [loading, setLoading] = useState(true);
  const skip = useRef<string[]>([]);
  const held = useRef<string | null>(null);
  const asked = useRef(0);

  const load = useCallback(async () => {
    const turn = ++asked.current;
    setLoading(true);
    try {
      const fresh = await room.next(site, skip.current);
      if (turn !== asked.current) {
        // Came too late: what it claimed is given back.
        if (fresh.incident) room.release(fresh.incident.incident.id).catch(() => {});
        return;
      }
      held.current = fresh.incident?.incident.id ?? null;
      setReview(fresh);
      setError(null);
    } catch (thrown) {
      if (turn === asked.current) setError(thrown);
    } finally {
      if (turn === asked.current) setLoading(false);
    }
  }, [site]);

  useEffect(() => {
    skip.current = [];
    void load();
    return () => {
      asked.current += 1;
      if (held.current) room.release(held.current).catch(() => {});
      held.current = null;
    };
  }, [load]);

  const id = review?.incident?.incident.id ?? null;
  useEffect(() => {
    if (!id) return;
    const timer = setInterval(() => {
      room.claim(id).then(
        ({ until }) => setReview((r) => (r && r.incident?.incident.id === id ? { ...r, claimed_until: until } : r)),
        // Somebody else's by now: the next attempt to judge says so.
        () => {},
      );
    }, RENEW_MS);
    return () => clearInterval(timer);
  }, [id]);

  const next = useCallback(
    (judged: boolean) => {
      if (held.current) {
        if (!judged) room.release(held.current).catch(() => {});
        skip.current = [...skip.current, held.current].slice(-200);
        held.current = null;
      }
      void load();
    },
    [load],
  );
  const again = useCallback(() => {
    skip.current = [];
    void load();
  }, [load]);
  return { review, error, loading, skipped: skip.current.length, next, again };
}
