import { describe, expect, it } from "vitest";
import { referenceWords } from "../../../src/model/reference-words.ts";

describe("referenceWords", () => {
  it("goes over a text once, whatever it is made of", () => {
    // A scheme could begin at each of these letters: hours, where each is followed to the end.
    const long = "a.".repeat(512 * 1024);
    expect(referenceWords(long)).toEqual([]);
    expect(referenceWords(`${long}https://evil.example/x`)).toMatchObject([{ kind: "url", host: "evil.example" }]);
  });
});
