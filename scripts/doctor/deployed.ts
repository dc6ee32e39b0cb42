/** What is wrong with an installation on Cloudflare. */
import { describeError } from "../../shared/errors.ts";
import { open, prepare, type Prepared } from "../cloudflare/open.ts";
import type { World } from "../cloudflare/world.ts";
import { examineChats } from "./chats.ts";
import { examineCloudflare } from "./cloudflare.ts";
import { examine, fault, type Finding } from "./finding.ts";
import {
  examineContainers,
  examineHealth,
  examineSinks,
  examineStatus,
  examineTask,
} from "./installation.ts";
import { examineModel } from "./model.ts";

interface Named {
  readonly name: string;
  readonly vars?: string | undefined;
}

export async function examineDeployed(named: Named, world: World): Promise<readonly Finding[]> {
  const { name } = named;
  const renew = `npm run deploy -- --name ${name}`;
  let prepared: Prepared;
  try {
    // A token that its platform refuses is named where the chats are looked at.
    prepared = await prepare(named, world, { online: true }).catch(() =>
      prepare(named, world, { online: false }),
    );
  } catch (error) {
    return [fault("settings", describeError(error), "mend the settings' file")];
  }
  const { record, settings } = prepared;
  const account = examine("Cloudflare", renew, async () =>
    examineCloudflare(await open(named, prepared, world), await world.readSources(), renew),
  );
  const model = examineModel(settings, renew);
  const { url } = record;
  const address =
    url === null
      ? fault("address", `this machine has not deployed ${name}`, renew)
      : await examineHealth(url, renew);
  const where = { state: "", name };
  const letters = `npm run dead-letters -- --name ${name} list`;
  const isThere = url !== null && address.state === "ok";
  const inside = isThere
    ? await Promise.all([
        examineStatus(where, renew, letters),
        examineTask(where, renew),
        examineContainers(where, settings, renew),
      ])
    : [];
  const chats = examineChats(settings, url === null ? null : { url, isPublic: true, isThere, renew }, renew);
  return [
    ...(await account),
    address,
    ...inside.flat(),
    examineSinks(settings),
    ...(await chats),
    ...(await model),
  ];
}
