/** An executor whose Workflows fail whatever they do. */
import { TaskWorkflow as Real } from "../../../workers/executor/index.ts";

export { default } from "../../../workers/executor/index.ts";

export class TaskWorkflow extends Real {
  override run(): Promise<void> {
    return Promise.reject(new Error("broken"));
  }
}
