/** What is a command, and what is a message. */
import { describe, expect, it } from "vitest";
import { parseCommand } from "../../../workers/planner/commands.ts";

describe("parseCommand", () => {
  it.each([
    ["/help", { name: "help", args: "" }],
    ["/Help@my_bot", { name: "help", args: "" }],
    ["  /stop abc ", { name: "stop", args: "abc" }],
    ["/run", { name: "run", args: "" }],
    ["/status\nabcd", { name: "status", args: "abcd" }],
    ["/run 1 + 1", null],
    ["/run@my_bot 1 + 1", null],
    ["hello /help", null],
    ["/ help", null],
    ["/etc/passwd", null],
  ])("of %j", (text, command) => {
    expect(parseCommand(text)).toEqual(command);
  });
});
