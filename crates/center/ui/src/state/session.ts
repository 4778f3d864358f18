/** Who is signed in. What they may do decides which views and buttons there are; the center decides what is done. */
import { create } from "zustand";
import { ApiError, caller } from "../api/client";
import { people } from "../api/people";
import type { Permission, Session, SignIn } from "../api/types";

export interface SessionState {
  /** `undefined` until the center has said. */
  session: Session | null | undefined;
  ways: SignIn | null;
  /** The session ended by itself: the sign-in page says so. */
  ended: boolean;
  error: unknown;
  load(): Promise<void>;
  signIn(name: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  /** The center knows no session of ours. */
  lost(): void;
}

export const useSession = create<SessionState>((set, state) => {
  const enter = (session: Session) => {
    caller.csrf = session.csrf;
    set({ session, ended: false, error: null });
  };
  const leave = async (ended: boolean) => {
    caller.csrf = null;
    set({ session: null, ended });
    try {
      set({ ways: await people.ways(), error: null });
    } catch (error) {
      set({ error });
    }
  };
  return {
    session: undefined,
    ways: null,
    ended: false,
    error: null,
    load: async () => {
      try {
        enter(await people.session());
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 401)) set({ error });
      }
    },
    signIn: async (name, password) => enter(await people.signIn(name, password)),
    signOut: async () => {
      await people.signOut();
      await leave(false);
    },
    lost: () => {
      const { session } = state();
      if (session !== null) void leave(session !== undefined);
    },
  };
});

caller.signedOut = () => useSession.getState().lost();

export function may(session: Session | null | undefined, permission: Permission): boolean {
  return session?.permissions.includes(permission) ?? false;
}

/** Whether the person may do this anywhere at all. */
export function useMay(permission: Permission): boolean {
  return useSession((s) => may(s.session, permission));
}
