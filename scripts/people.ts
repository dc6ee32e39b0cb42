/** `npm run people -- list | dismiss <id> | forget <id>`: who is known, and who is to be no longer. */
import { parseArgs } from "node:util";
import { Dismissed, Forgotten, PeoplePage } from "../shared/contracts/api.ts";
import { CHANNELS } from "../shared/channels/index.ts";
import { command } from "./installation/command.ts";
import { callApi, WHERE_OPTIONS } from "./installation/call-api.ts";

const USAGE = `Usage: npm run people -- [--state .errand | --name errand] <command>
  list           everybody who is known
  dismiss <id>   takes somebody off the list, such as ${CHANNELS[0]?.name}:218485655; what they said stays
  forget <id>    deletes what they said and what was made for them, and takes them off the list`;

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...WHERE_OPTIONS },
  });
  const [what = "", id = ""] = positionals;
  const where = values;
  if (what === "list") {
    const { people } = await callApi(PeoplePage, { where, method: "GET", path: "/v1/people" });
    for (const { id: name, role, since } of people) console.log(`${role.padEnd(7)}  ${name}  since ${since}`);
    if (people.length === 0) console.log("Nobody yet.");
    return;
  }
  if ((what !== "dismiss" && what !== "forget") || id === "") throw new Error(USAGE);
  if (!/^[a-z]+:./.test(id)) throw new Error(`"${id}" is no id, such as ${CHANNELS[0]?.name}:218485655.`);
  const path = `/v1/people/${encodeURIComponent(id)}`;
  if (what === "dismiss") {
    await callApi(Dismissed, { where, method: "DELETE", path });
    console.log(`${id} is a stranger again.`);
    return;
  }
  const { forgotten } = await callApi(Forgotten, { where, method: "POST", path: `${path}/forget` });
  console.log(
    `${id} is forgotten: ${forgotten.tasks} tasks and ${forgotten.messages} messages are gone. Files go within two days.`,
  );
});
