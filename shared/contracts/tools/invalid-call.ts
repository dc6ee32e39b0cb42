/** What a model asked for and nobody has: it gets to hear so, as it would of a tool's failure. No tool: it is never offered. */
import * as z from "zod/mini";
import { describeTool } from "../tool.ts";

export const invalidCall = describeTool({
  name: "invalid_call",
  title: "Invalid call",
  description: "",
  input: z.strictObject({ name: z.string(), input: z.unknown(), reason: z.string() }),
  effect: "none",
  summarizeCall: ({ name }) => name,
});
