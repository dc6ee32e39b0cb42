/** `npm run pair -- <code> [--admin] | --list | --dismiss <id>`: who may talk to the bot. */
import { parseArgs } from "node:util";
import { Admitted, Dismissed, PeoplePage } from "../shared/contracts/api.ts";
import { CHANNELS } from "../shared/channels/index.ts";
import { command } from "./local/command.ts";
import { callApi } from "./local/installation.ts";

const USAGE = `Usage: npm run pair -- [--state .errand] <what>
  <code> [--admin]   admits whoever was told this code, as a member or as an admin
  --list             everybody who is known
  --dismiss <id>     takes somebody off the list, such as ${CHANNELS[0]?.name}:218485655
An admin may also admit a group, by sending /admit there.`;

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      state: { type: "string", default: ".errand" },
      admin: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      dismiss: { type: "string" },
    },
  });
  const [code] = positionals;
  const { state } = values;
  if (values.list) {
    const { people } = await callApi(PeoplePage, { state, method: "GET", path: "/v1/people" });
    for (const { id, role, since } of people) console.log(`${role.padEnd(7)}  ${id}  since ${since}`);
    if (people.length === 0) console.log("Nobody yet.");
  } else if (values.dismiss !== undefined) {
    if (!/^[a-z]+:./.test(values.dismiss))
      throw new Error(`"${values.dismiss}" is no id; --list shows them.`);
    const path = `/v1/people/${encodeURIComponent(values.dismiss)}`;
    await callApi(Dismissed, { state, method: "DELETE", path });
    console.log(`${values.dismiss} is a stranger again.`);
  } else if (code === undefined) throw new Error(USAGE);
  else {
    const role = values.admin ? "admin" : "member";
    const admission = { state, method: "POST", path: "/v1/people/admit", body: { code, role } };
    const { admitted } = await callApi(Admitted, admission);
    console.log(`${admitted.id} may talk now, as ${role}.`);
  }
});
