// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SetupProblem } from "../../api/setup";
import { useSettings } from "../../state/settings";
import { ProblemList } from "./Problems";

const at = { line: 28, column: 1, from: 0, to: 12 };
const misspelt: SetupProblem = { ...at, path: "cameras.gate.rules.bikes.misparked_ebike.limt_seconds", message: 'unknown key "limt_seconds"', hint: 'did you mean "limit_seconds"?' };
const unheardOf: SetupProblem = { ...at, path: "", message: "the moon is in the way", hint: null };

afterEach(cleanup);

describe("the problems of a pipeline file", () => {
  it("are told in Chinese on a Chinese page, with their hints", () => {
    useSettings.setState({ language: "zh-CN" });
    const shown = vi.fn();
    render(<ProblemList problems={[misspelt]} onShow={shown} />);
    const problem = screen.getByRole("button");
    expect(problem.textContent).toBe("第 28 行cameras.gate.rules.bikes.misparked_ebike.limt_seconds没有“limt_seconds”这一项提示： 是不是要写“limit_seconds”？");
    expect(problem.querySelector("[lang=en]")).toBeNull();
    fireEvent.click(problem);
    expect(shown).toHaveBeenCalledWith(misspelt);
  });

  it("are told in English, and marked as such, where there is no Chinese for them", () => {
    useSettings.setState({ language: "zh-CN" });
    render(<ProblemList problems={[unheardOf]} onShow={() => {}} />);
    expect(screen.getByText("the moon is in the way").lang).toBe("en");
  });

  it("are told as the node said them on an English page", () => {
    useSettings.setState({ language: "en" });
    render(<ProblemList problems={[misspelt]} onShow={() => {}} />);
    expect(screen.getByRole("button").textContent).toContain('unknown key "limt_seconds"Hint: did you mean "limit_seconds"?');
  });
});
