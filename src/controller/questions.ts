import { ScriptdError } from '../errors.js';
import type { MessageOf } from '../wire/messages.js';
import type { Answer } from './answers.js';
import type { ClientRequests } from './client-requests.js';
import { explanationOf } from './explanation.js';
import { pageOf } from './page.js';
import { unknownTask } from './refusal.js';

/** What an http daemon asks that has one answer, at once or when it is durable. */
export type Question = MessageOf<
  | 'list'
  | 'getSpec'
  | 'explain'
  | 'retryTask'
  | 'getDelivery'
  | 'redeliver'
  | 'queues'
  | 'pauseQueue'
  | 'resumeQueue'
  | 'listSchedules'
  | 'getSchedule'
  | 'putSchedule'
  | 'setScheduleEnabled'
  | 'deleteSchedule'
  | 'measure'
  | 'overview'
  | 'history'
  | 'drainWorker'
>;

/** Rejected with an error that `asRefusal` knows, or with a fault of ours. */
export async function answerTo(question: Question, requests: ClientRequests): Promise<Answer> {
  const { requestId } = question;
  switch (question.kind) {
    case 'list':
      return pageOf(question, requests);
    case 'getSpec':
      return specOf(question, requests);
    case 'explain':
      return explanationOf(question, requests);
    case 'retryTask':
      return { kind: 'task', requestId, task: await requests.retry(question.taskId) };
    case 'getDelivery':
      return { kind: 'delivery', requestId, ...(await requests.delivery(question.taskId)) };
    case 'redeliver':
      return { kind: 'delivery', requestId, ...(await requests.redeliver(question.taskId)) };
    case 'queues':
      return { kind: 'queueReports', requestId, queues: requests.queues() };
    case 'pauseQueue':
    case 'resumeQueue': {
      const { kind, type } = question;
      const queue = await requests[kind](type);
      if (!queue) throw new ScriptdError('UNKNOWN_TYPE', `there are no workers of type ${type}`);
      return { kind: 'queueReports', requestId, queues: [queue] };
    }
    case 'listSchedules':
      return { kind: 'schedules', requestId, schedules: requests.schedules() };
    case 'getSchedule': {
      const schedule = requests.schedule(question.scheduleId);
      if (!schedule) throw unknownSchedule(question.scheduleId);
      return { kind: 'schedule', requestId, schedule };
    }
    case 'putSchedule': {
      const put = await requests.putSchedule(question.how, question.schedule);
      return { kind: 'schedule', requestId, ...put };
    }
    case 'setScheduleEnabled': {
      const { scheduleId, enabled } = question;
      const schedule = await requests.setScheduleEnabled(scheduleId, enabled);
      if (!schedule) throw unknownSchedule(scheduleId);
      return { kind: 'schedule', requestId, schedule };
    }
    case 'deleteSchedule':
      if (await requests.deleteSchedule(question.scheduleId)) return { kind: 'done', requestId };
      throw unknownSchedule(question.scheduleId);
    case 'measure':
      return requests.measure(requestId);
    case 'overview':
      return { kind: 'overviewReport', requestId, ...(await requests.overview()) };
    case 'history':
      return { kind: 'samples', requestId, ...requests.history() };
    case 'drainWorker': {
      const worker = requests.drainWorker(question.workerId);
      if (worker) return { kind: 'worker', requestId, worker };
      const text = `no worker ${question.workerId} is connected: GET /v1/workers lists those that are`;
      throw new ScriptdError('UNKNOWN_WORKER', text);
    }
  }
}

/** The task may go between the two readings: then it is gone. */
async function specOf(
  { requestId, taskId }: MessageOf<'getSpec'>,
  requests: Pick<ClientRequests, 'read' | 'readSpec'>,
): Promise<MessageOf<'spec'>> {
  const spec = await requests.readSpec(taskId);
  const task = await requests.read(taskId, { bulk: false });
  if (!spec || !task) throw unknownTask(taskId);
  return { kind: 'spec', requestId, task, spec };
}

function unknownSchedule(id: string): ScriptdError {
  return new ScriptdError('UNKNOWN_SCHEDULE', `there is no schedule ${id}`);
}
