/** A conversation of a program's: its files, and tasks of one call over them. */
import type { FileList } from "../../shared/contracts/api.ts";
import { API_KEY, type Pipeline } from "./pipeline.ts";

export function openConversation(pipeline: Pipeline, name: string) {
  const headers = { authorization: `Bearer ${API_KEY}` };
  const urlOf = (path: string) => `${pipeline.url}/v1/conversations/${name}/files/${path}`;
  const call = async (tool: string, input: object) => {
    const { body } = await pipeline.api("POST", "/tasks", { tool, input, conversation: name });
    const task = await pipeline.ended(body.id);
    return { task, ...task.result?.calls[0] };
  };
  /** With their types. */
  const list = async () => {
    const { body } = await pipeline.api<FileList>("GET", `/conversations/${name}/files`);
    return body.files.map(({ path, mime }) => `${path} ${mime}`);
  };
  return {
    call,
    sh: (script: string) => call("shell", { script }),
    run: (code: string) => call("run_code", { code }),
    put: (path: string, body: string) => fetch(urlOf(path), { method: "PUT", headers, body }),
    get: async (path: string) => (await fetch(urlOf(path), { headers })).text(),
    list,
    paths: async () => (await list()).map((line) => line.split(" ")[0]),
  };
}
