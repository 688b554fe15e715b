export { FLUSH_APART, FlushPace } from "./flush-pace.ts";
export { type AdmissionPort, type QueuePort } from "./ports.ts";
export {
  type Ingress,
  type IngressLimits,
  type IngressModules,
  type IngressOptions,
  startIngress,
} from "./start-ingress.ts";
export { type ComponentOptions, type ComponentSlot, slotsOf } from "./stream/front.ts";
export { type PublishToSend } from "./publish-stanza.ts";
export { type ComponentTrial, tryComponent } from "./try-component.ts";
export { type PublishAnswer, type PublishesToTry, tryPublishes } from "./try-publishes.ts";
