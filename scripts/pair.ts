/** `npm run pair -- <code> [--admin]`: lets a person in by the code that they were told. */
import { parseArgs } from "node:util";
import { Admitted } from "../shared/contracts/api.ts";
import { command } from "./installation/command.ts";
import { callApi, WHERE_OPTIONS } from "./installation/call-api.ts";

const USAGE = `Usage: npm run pair -- [--state .errand | --name errand] <code> [--admin]
  admits whoever was told this code, as a member or as an admin
An admin may also admit a group, by sending /admit there. npm run people lists, dismisses and forgets.`;

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...WHERE_OPTIONS,
      admin: { type: "boolean", default: false },
    },
  });
  const [code] = positionals;
  if (code === undefined) throw new Error(USAGE);
  const role = values.admin ? "admin" : "member";
  const admission = { where: values, method: "POST", path: "/v1/people/admit", body: { code, role } };
  const { admitted } = await callApi(Admitted, admission);
  console.log(`${admitted.id} may talk now, as ${role}.`);
});
