/**
 * A pipeline file being changed. Edits are shown at once and sent to the node a moment later, which answers with the text
 * as it would be saved and what is wrong in it; nothing is written before `save`.
 */
import { useMemo } from "react";
import { create } from "zustand";
import { ApiError } from "../api/client";
import { setupOf, type Edit, type Model, type Place, type Saved, type SetupCalls, type SetupFile, type SetupProblem, type SetupView } from "../api/setup";
import { editsBetween, withEdits, withNext } from "../lib/edits";
import { noHistory, redone, remembered, undone, type History } from "../lib/history";
import { showable } from "../lib/setupmodel";

/** How long a hand must rest before what it did is sent. */
const REST_MS = 350;

export interface SetupData {
  place: Place | null;
  /** As it was read: what is saved is built on it. */
  file: SetupFile | null;
  /** Why it could not be read. */
  error: unknown;
  text: string;
  /** What `text` says, without what is on its way. */
  model: Model | null;
  problems: SetupProblem[];
  /** Edits on their way, and those that wait. */
  sent: Edit[];
  pending: Edit[];
  /** The text was typed in and not looked at yet. */
  typed: boolean;
  /** Why the last edits, or what was typed, were not taken. */
  refusal: unknown;
  /** What was typed was not taken: nothing is known of the text. */
  untold: boolean;
  saving: boolean;
  /** What the last attempt to save failed of, when it was not somebody else's change. */
  saveError: unknown;
  saved: Saved | null;
  /** Somebody else saved meanwhile: the file as it is now. */
  theirs: SetupFile | null;
  histories: Record<string, History<SetupView>>;
}

interface SetupActions {
  /** Reads the file of a node; what was not saved is gone. */
  open(place: Place): Promise<void>;
  edit(edits: Edit[]): void;
  /** Replaces a view by another one, as a step that can be taken back. */
  put(camera: string, next: SetupView, tag?: string | null): void;
  undo(camera: string, preset: string | null): void;
  redo(camera: string, preset: string | null): void;
  type(text: string): void;
  /** Sends what waits; done when the node has answered to all of it. */
  flush(): Promise<void>;
  /** Back to the file as it was read. */
  discard(): void;
  save(reason: string): Promise<boolean>;
  /** Goes on from the file as it is now, with this text. */
  rebase(text: string): Promise<void>;
  forgetRefusal(): void;
}

export const nothing: SetupData = {
  place: null,
  file: null,
  error: null,
  text: "",
  model: null,
  problems: [],
  sent: [],
  pending: [],
  typed: false,
  refusal: null,
  untold: false,
  saving: false,
  saveError: null,
  saved: null,
  theirs: null,
  histories: {},
};

/** What the page shows: the node's answer with what is still on its way. */
export function shown({ model, sent, pending }: Pick<SetupData, "model" | "sent" | "pending">): Model | null {
  return model && withEdits(model, [...sent, ...pending]);
}

export function isChanged({ file, text, sent, pending }: SetupData): boolean {
  return file !== null && (text !== file.text || sent.length > 0 || pending.length > 0);
}

const historyKey = (camera: string, preset: string | null) => JSON.stringify([camera, preset]);

export function viewIn(model: Model | null, camera: string | null, preset: string | null): SetupView | undefined {
  return model?.cameras.find((c) => c.camera === camera)?.views.find((v) => v.preset === preset);
}

const asRead = (file: SetupFile) => ({ file, text: file.text, model: file.model && showable(file.model), problems: file.problems, sent: [], pending: [], typed: false, refusal: null, untold: false, histories: {} });

/** The center says that the request itself is wrong: asking again would not help. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 409, 429].includes(error.status);
}

export const useSetup = create<SetupData & SetupActions>((set, get) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  const calls = (): SetupCalls => setupOf(get().place ?? { site: "", node: "" });

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void get().flush(), REST_MS);
  };
  const send = async () => {
    for (let { pending, typed } = get(); pending.length > 0 || typed; { pending, typed } = get()) {
      const { place, text } = get();
      set({ sent: pending, pending: [], typed: false });
      try {
        const draft = await calls().draft(text, pending);
        if (get().place !== place) return;
        // Typed on meanwhile: that is looked at in the next round.
        if (get().typed && pending.length === 0) continue;
        set({ text: draft.text, model: draft.model && showable(draft.model), problems: draft.problems, sent: [], refusal: null, untold: false });
      } catch (refusal) {
        if (get().place !== place) return;
        if (isRefused(refusal)) set({ sent: [], refusal, untold: typed || get().untold, histories: {} });
        else {
          set((s) => ({ sent: [], pending: withNext(pending, s.pending), typed: typed || s.typed, refusal }));
          return;
        }
      }
    }
  };

  const step = (way: typeof undone, camera: string, preset: string | null) => {
    const key = historyKey(camera, preset);
    const present = viewIn(shown(get()), camera, preset);
    const next = present && way(get().histories[key] ?? noHistory, present);
    if (!next) return;
    set((s) => ({ histories: { ...s.histories, [key]: next.history } }));
    get().edit(editsBetween(camera, present, next.present));
  };

  return {
    ...nothing,
    open: async (place) => {
      clearTimeout(timer);
      set({ ...nothing, place });
      try {
        const file = await calls().read();
        if (get().place === place) set(asRead(file));
      } catch (error) {
        if (get().place === place) set({ error });
      }
    },
    edit: (edits) => {
      if (edits.length === 0) return;
      set((s) => ({ pending: withNext(s.pending, edits), saved: null }));
      later();
    },
    put: (camera, next, tag = null) => {
      const present = viewIn(shown(get()), camera, next.preset);
      if (!present) return;
      const edits = editsBetween(camera, present, next);
      if (edits.length === 0) return;
      const key = historyKey(camera, next.preset);
      set((s) => ({ histories: { ...s.histories, [key]: remembered(s.histories[key] ?? noHistory, present, tag) } }));
      get().edit(edits);
    },
    undo: (camera, preset) => step(undone, camera, preset),
    redo: (camera, preset) => step(redone, camera, preset),
    type: (text) => {
      set({ text, typed: true, untold: false, saved: null, histories: {} });
      later();
    },
    flush: () => {
      clearTimeout(timer);
      running ??= send().finally(() => (running = null));
      return running;
    },
    discard: () => {
      clearTimeout(timer);
      const { file } = get();
      if (file) set({ ...asRead(file), saveError: null });
    },
    save: async (reason) => {
      if (get().saving) return false;
      set({ saving: true, saveError: null, saved: null });
      try {
        await get().flush();
        const { file, text, refusal, untold, pending, problems, place } = get();
        if (untold || pending.length > 0) {
          set({ saveError: refusal });
          return false;
        }
        if (!file || problems.length > 0) return false;
        try {
          const saved = await calls().save(file.revision, text, reason.trim() || null);
          if (get().place !== place) return false;
          // What was done while it was being saved stays a change.
          set({ file: { ...file, text, revision: saved.revision }, saved });
          const fresh = await calls().read();
          if (get().place === place && fresh.revision === saved.revision) set({ file: { ...fresh, text } });
          return true;
        } catch (error) {
          if (get().saved) return true;
          if (error instanceof ApiError && error.problem?.code === "setup_changed") set({ theirs: await calls().read() });
          else set({ saveError: error });
          return false;
        }
      } catch (error) {
        set({ saveError: error });
        return false;
      } finally {
        set({ saving: false });
      }
    },
    rebase: async (text) => {
      const { theirs } = get();
      if (!theirs) return;
      set({ ...asRead(theirs), theirs: null, saveError: null });
      if (text === theirs.text) return;
      get().type(text);
      await get().flush();
    },
    forgetRefusal: () => set({ refusal: null }),
  };
});

/** What the page shows of the file. */
export function useModel(): Model | null {
  const model = useSetup((s) => s.model);
  const sent = useSetup((s) => s.sent);
  const pending = useSetup((s) => s.pending);
  return useMemo(() => shown({ model, sent, pending }), [model, sent, pending]);
}

/** Whether a step back, or forward again, can be taken in a view. */
export function useSteps(camera: string, preset: string | null): { undo: boolean; redo: boolean } {
  const history = useSetup((s) => s.histories[historyKey(camera, preset)]);
  return { undo: (history?.past.length ?? 0) > 0, redo: (history?.future.length ?? 0) > 0 };
}
