/** The way in. */
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { OIDC_URL } from "../api/people";
import { useT } from "../i18n";
import { duration } from "../lib/format";
import { TextField } from "../parts/Fields";
import { Appearance } from "../parts/TopBar";
import { Failed, Loading } from "../parts/States";
import { useSession } from "../state/session";

/** Why the identity provider's way in led nowhere, as the center says it in the address. */
const NOT_LET_IN = ["unknown", "refused", "expired", "failed"] as const;

function notLetIn() {
  const reason = new URLSearchParams(location.search).get("sign-in");
  return NOT_LET_IN.find((known) => known === reason) ?? null;
}

export function SignInView() {
  const t = useT();
  const { ways, ended, error, signIn, load } = useSession();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const [wait, setWait] = useState(0);
  const [turnedBack] = useState(notLetIn);
  useEffect(() => {
    if (turnedBack) history.replaceState(history.state, "", location.pathname + location.hash);
  }, [turnedBack]);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const submit = async () => {
    setBusy(true);
    setRefusal(null);
    try {
      await signIn(name.trim(), password);
    } catch (thrown) {
      const refused = thrown instanceof ApiError ? thrown : new ApiError(0, null, String(thrown));
      setRefusal(refused);
      setWait(refused.retryAfter ?? 0);
      setPassword("");
      document.querySelector<HTMLInputElement>("input[type=password]")?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <div className="sign-in-tools">
        <Appearance />
      </div>
      <section className="sign-in-card" aria-label={t("session.title")}>
        <header className="sign-in-brand">
          <img src="/icon.svg" alt="" width={44} height={44} />
          <div>
            <h1>Parapet</h1>
            <p className="muted">{t("session.hint")}</p>
          </div>
        </header>
        {ended && (
          <p className="form-note" role="status">
            {t("session.ended")}
          </p>
        )}
        {turnedBack && (
          <p className="form-message" role="alert">
            {t(`session.oidc.${turnedBack}`)}
          </p>
        )}
        {ways === null ? (
          error ? (
            <Failed error={error} retry={() => void load()} />
          ) : (
            <Loading />
          )
        ) : (
          <>
            {ways.password && (
              <form
                className="form"
                onSubmit={(event) => {
                  event.preventDefault();
                  void submit();
                }}
              >
                <TextField label={t("session.name")} value={name} onChange={setName} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus required />
                <TextField label={t("session.password")} type="password" value={password} onChange={setPassword} autoComplete="current-password" required />
                {refusal && (
                  <p className="form-message" role="alert">
                    {refusal.text(t.language)} {wait > 0 && t("session.wait", { duration: duration(wait * 1000, t) })}
                  </p>
                )}
                <button className="button button-confirm" disabled={busy || wait > 0}>
                  <LogIn size={17} aria-hidden />
                  {t(busy ? "session.submitting" : "session.submit")}
                </button>
              </form>
            )}
            {ways.password && ways.oidc && <p className="sign-in-or muted">{t("session.or")}</p>}
            {ways.oidc && (
              <a className="button" href={OIDC_URL}>
                {t("session.oidc", { name: ways.oidc.name })}
              </a>
            )}
          </>
        )}
        <p className="sign-in-notice muted">{t("session.notice")}</p>
      </section>
    </main>
  );
}
