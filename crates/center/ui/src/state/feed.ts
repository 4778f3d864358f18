/** The one live feed of the page, and the lists that are read again whenever something may have been missed. */
import { useEffect } from "react";
import { api } from "../api/client";
import { LiveFeed, liveUrl } from "../api/live";
import { people } from "../api/people";
import { useLive } from "./live";

export const feed = new LiveFeed(liveUrl(window.location), {
  onMessage: (message) => useLive.getState().receive(message),
  onState: (state) => {
    useLive.getState().connected(state);
    // A feed that was closed may be a session that has ended: asking tells, and then shows the sign-in page.
    if (state === "lost") people.session().catch(() => {});
  },
});

/** Opens the feed and keeps the lists whole for as long as the page is open. */
export function useFeed(onError: (error: unknown) => void): void {
  const epoch = useLive((s) => s.epoch);
  useEffect(() => {
    feed.open();
    return () => feed.close();
  }, []);
  useEffect(() => {
    let current = true;
    Promise.all([
      api.cameras(),
      api.nodes(),
      api.incidents({ status: "new" }, undefined, 500),
      api.incidents({}, undefined, 100),
    ])
      .then(([cameras, nodes, unjudged, latest]) => {
        if (current) useLive.getState().load(cameras, nodes, [...unjudged.incidents, ...latest.incidents], unjudged.next !== null);
      })
      .catch((error: unknown) => {
        if (current) onError(error);
      });
    return () => {
      current = false;
    };
  }, [epoch, onError]);
}
