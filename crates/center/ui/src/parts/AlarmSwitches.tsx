/** Sound and desktop notices, each off until it is turned on here. */
import { Bell, BellOff, Volume2, VolumeX } from "lucide-react";
import { useState } from "react";
import { useT } from "../i18n";
import { askForNotices, chime, noticesAllowed } from "../lib/alarm";
import { useSettings } from "../state/settings";

export function AlarmSwitches() {
  const t = useT();
  const { sound, notices, set } = useSettings();
  const [denied, setDenied] = useState(false);
  const told = notices && noticesAllowed();
  const toggleSound = () => {
    set({ sound: !sound });
    if (!sound) chime(false);
  };
  const toggleNotices = async () => {
    if (told) return set({ notices: false });
    const allowed = await askForNotices();
    setDenied(!allowed);
    set({ notices: allowed });
  };
  return (
    <span className="alarm-switches">
      <button className="icon-button" aria-pressed={sound} onClick={toggleSound} title={t(sound ? "review.sound.off" : "review.sound.on")} aria-label={t("review.sound")}>
        {sound ? <Volume2 size={17} aria-hidden /> : <VolumeX size={17} aria-hidden />}
      </button>
      <button className="icon-button" aria-pressed={told} onClick={() => void toggleNotices()} title={t(told ? "review.notice.off" : "review.notice.on")} aria-label={t("review.notice")}>
        {told ? <Bell size={17} aria-hidden /> : <BellOff size={17} aria-hidden />}
      </button>
      {denied && (
        <span className="muted" role="status">
          {t("review.notice.denied")}
        </span>
      )}
    </span>
  );
}
