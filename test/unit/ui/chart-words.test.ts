import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import { describeFailure } from "../../../src/ui/failure.ts";

describe("a chart that is not where the spec says", () => {
  it.each([
    [
      "https://charts.example/index.yaml: 2.2.3, 2.2.4",
      "index.yaml has only 2.2.3, 2.2.4",
      "index.yaml 中只有 2.2.3, 2.2.4",
    ],
    ["/srv/higress-2.2.4.tgz: higress 2.2.4", ".tgz has only higress 2.2.4", ".tgz 中只有 higress 2.2.4"],
    ["https://charts.example/index.yaml:3:1 bad indentation", "index.yaml:3:1 bad indentation", "index.yaml:3:1 bad"],
  ])("is told with what is there: %s", (why, en, zh) => {
    const failure = new Failure("CHART_UNUSABLE", { chart: "higress 2.2.5", why });
    expect(describeFailure(failure, "en").message).toContain(en);
    expect(describeFailure(failure, "zh").message).toContain(zh);
  });
});
