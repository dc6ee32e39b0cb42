/** What is a command, and what is a message. */
import { describe, expect, it } from "vitest";
import { parseCommand } from "../../../shared/commands.ts";

describe("parseCommand", () => {
  it.each([
    ["/help", { name: "help", args: "", addressee: null }],
    ["/Help@my_bot", { name: "help", args: "", addressee: "my_bot" }],
    ["  /stop abc ", { name: "stop", args: "abc", addressee: null }],
    ["/run", { name: "run", args: "", addressee: null }],
    ["/status\nabcd", { name: "status", args: "abcd", addressee: null }],
    ["/run 1 +\n1 ", { name: "run", args: "1 +\n1", addressee: null }],
    ["hello /help", null],
    ["/ help", null],
    ["/etc/passwd", null],
  ])("of %j", (text, command) => {
    expect(parseCommand(text)).toEqual(command);
  });
});
