/** What is wrong with the installation of this machine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { describeError } from "../../shared/errors.ts";
import { readSettings } from "../installation/settings.ts";
import { examineChats } from "./chats.ts";
import { fault, type Finding } from "./finding.ts";
import {
  examineContainers,
  examineHealth,
  examineSinks,
  examineStatus,
  examineTask,
} from "./installation.ts";
import { examineModel } from "./model.ts";

const START = "npm start";
const RESTART = "stop it, and npm start";
const Local = z.object({ url: z.string() });

/** @param state its folder. @param file its settings. */
export async function examineLocal(state: string, file: string): Promise<readonly Finding[]> {
  try {
    const settings = await readSettings(file);
    const text = await readFile(join(state, "local.json"), "utf8").catch(() => null);
    const chatsOf = (url: string | null) => {
      const place = url === null ? null : { url, isPublic: false, isThere: true, renew: RESTART };
      return examineChats(settings, place, RESTART);
    };
    const model = examineModel(settings, RESTART);
    if (text === null)
      return [
        fault("address", `nothing was ever started in ${state}`, START),
        ...(await chatsOf(null)),
        ...(await model),
      ];
    const { url } = Local.parse(JSON.parse(text));
    const address = await examineHealth(url, START);
    const isThere = address.state === "ok";
    const where = { state };
    const inside = isThere
      ? await Promise.all([
          examineStatus(where, RESTART, "npm run dead-letters -- list"),
          examineTask(where, RESTART),
          examineContainers(where, settings, RESTART),
        ])
      : [];
    return [
      address,
      ...inside.flat(),
      examineSinks(settings),
      ...(await chatsOf(isThere ? url : null)),
      ...(await model),
    ];
  } catch (error) {
    return [fault("settings", describeError(error), `mend ${file}`)];
  }
}
