/** Every contract has an example, and the example is one. */
import * as z from "zod/mini";
import { expect, it } from "vitest";
import * as approval from "../../../shared/contracts/approval.ts";
import * as control from "../../../shared/contracts/control.ts";
import * as policy from "../../../shared/policy/policy.ts";
import * as alert from "../../../shared/contracts/alert.ts";
import * as api from "../../../shared/contracts/api.ts";
import * as code from "../../../shared/contracts/code.ts";
import * as channel from "../../../shared/contracts/channel.ts";
import * as doorbell from "../../../shared/contracts/doorbell.ts";
import * as event from "../../../shared/contracts/event.ts";
import * as file from "../../../shared/contracts/file.ts";
import * as inbound from "../../../shared/contracts/inbound.ts";
import * as job from "../../../shared/contracts/job.ts";
import * as key from "../../../shared/contracts/key.ts";
import * as message from "../../../shared/contracts/message.ts";
import * as task from "../../../shared/contracts/task.ts";
import * as tool from "../../../shared/contracts/tool.ts";
import * as command from "../../../shared/contracts/command.ts";
import * as person from "../../../shared/contracts/person.ts";
import * as tools from "../../../shared/contracts/tools/index.ts";
import * as turn from "../../../shared/contracts/turn.ts";

it.each([
  ["PromptTask", api.PromptTask, api.promptTaskExample],
  ["Admission", api.Admission, api.admissionExample],
  ["NewKey", api.NewKey, api.newKeyExample],
  ["Scope", key.Scope, key.scopeExample],
  ["SteeringMessage", api.SteeringMessage, api.steeringMessageExample],
  ["ReplyAddress", channel.ReplyAddress, channel.replyAddressExample],
  ["Doorbell", doorbell.Doorbell, doorbell.doorbellExample],
  ["Decided", approval.Decided, approval.decidedExample],
  ["NewDecision", control.NewDecision, control.newDecisionExample],
  ["Policy", policy.Policy, policy.policyExample],
  ["Notice", alert.Notice, alert.noticeExample],
  ["TaskEvent", event.TaskEvent, event.taskEventExample],
  ["JobState", job.JobState, job.jobStateExample],
  ["JobOrder", job.JobOrder, job.jobOrderExample],
  ["StoredFile", file.StoredFile, file.storedFileExample],
  ["ReceivedFile", file.ReceivedFile, file.receivedFileExample],
  ["InboundEvent", inbound.InboundEvent, inbound.inboundEventExample],
  ["MessageContent", message.MessageContent, message.messageContentExample],
  ["CodeResult", code.CodeResult, code.codeResultExample],
  ["CodeRequest", code.CodeRequest, code.codeRequestExample],
  ["TaskState", task.TaskState, task.taskStateExample],
  ["TaskError", task.TaskError, task.taskErrorExample],
  ["ToolCall", tools.ToolCall, tools.toolCallExample],
  ["Command", command.Command, command.commandExample],
  ["Role", person.Role, person.roleExample],
  ["Observation", tool.Observation, tool.observationExample],
  ["Turn", turn.Turn, turn.turnExample],
  ["NextTurn", turn.NextTurn, turn.nextTurnExample],
])("%s", (_, schema, example) => {
  expect(z.parse(schema, example)).toEqual(example);
});
