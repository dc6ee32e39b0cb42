/** `send_file`: a file of the workspace, with the answer. */
import { readPathOf, Workspace, WorkspaceError } from "../workspace.ts";
import { failing, type Run } from "./tool.ts";

export const sendFile: Run<"send_file"> = async (context, { path }) => {
  try {
    const { file, content } = await (await Workspace.open(context)).read(readPathOf(path));
    const attached = { name: file.path, mime: file.mime, content };
    return { parts: [{ type: "file", file: attached }], value: null, error: null };
  } catch (error) {
    if (error instanceof WorkspaceError) return failing(`Not done: ${error.message}.`);
    throw error;
  }
};
