/** The commit message of a task that names none. */

/** `feat(<spec>): <title> [Task <id>]`, without the parentheses when the task belongs to no plan. */
export function defaultMessage(task: { readonly title: string; readonly spec?: string }, taskId: string): string {
  return `feat${task.spec === undefined ? '' : `(${task.spec})`}: ${task.title} [Task ${taskId}]`;
}
