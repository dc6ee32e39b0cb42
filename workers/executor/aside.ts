/**
 * The result of a call that has changed the workspace, kept until the call is stored: a step that is made again, because nobody heard
 * its end, finds what it has done instead of doing it twice.
 */
import * as z from "zod/mini";
import { StoredFile } from "../../shared/contracts/file.ts";
import { keepFile } from "../../shared/files.ts";
import type { ToolContext, ToolResult } from "./tools/tool.ts";

const AsidePart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.enum(["file", "image"]), file: StoredFile }),
]);
const Aside = z.object({
  parts: z.array(AsidePart),
  value: z.nullable(z.object({ shown: z.string(), json: z.nullable(z.string()) })),
  error: z.nullable(z.string()),
});
type Aside = z.infer<typeof Aside>;

/** @returns what the change says of itself: where the result lies. */
export async function setAside({ env }: ToolContext, { parts, value, error }: ToolResult): Promise<string> {
  const kept = parts.map(async (part): Promise<Aside["parts"][number]> => {
    if (part.type === "text") return part;
    const { type } = part;
    return { type, file: await keepFile(env.FILES, part.type === "file" ? part.file : part.image) };
  });
  const aside: Aside = { parts: await Promise.all(kept), value, error };
  const content = new TextEncoder().encode(JSON.stringify(aside)).slice();
  const { sha256 } = await keepFile(env.FILES, { name: "result.json", mime: "application/json", content });
  return sha256;
}

/** @param sha256 what the change has said of itself. Throws when it is gone. */
export async function findAside(context: ToolContext, sha256: string): Promise<ToolResult> {
  const aside = Aside.parse(JSON.parse(new TextDecoder().decode(await find(context, sha256))));
  const parts = aside.parts.map(async (part): Promise<ToolResult["parts"][number]> => {
    if (part.type === "text") return part;
    const { name, mime, sha256: hash } = part.file;
    const file = { name, mime, content: await find(context, hash) };
    return part.type === "file" ? { type: "file", file } : { type: "image", image: file };
  });
  return { ...aside, parts: await Promise.all(parts) };
}

async function find(context: ToolContext, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const content = await context.readFile(sha256);
  if (content === null) throw new Error("what the call has brought back is not kept any more");
  return content;
}
