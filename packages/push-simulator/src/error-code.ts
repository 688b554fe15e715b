import { constants } from "node:http2";

const CODES = {
  NO_ERROR: constants.NGHTTP2_NO_ERROR,
  PROTOCOL_ERROR: constants.NGHTTP2_PROTOCOL_ERROR,
  INTERNAL_ERROR: constants.NGHTTP2_INTERNAL_ERROR,
  FLOW_CONTROL_ERROR: constants.NGHTTP2_FLOW_CONTROL_ERROR,
  SETTINGS_TIMEOUT: constants.NGHTTP2_SETTINGS_TIMEOUT,
  STREAM_CLOSED: constants.NGHTTP2_STREAM_CLOSED,
  FRAME_SIZE_ERROR: constants.NGHTTP2_FRAME_SIZE_ERROR,
  REFUSED_STREAM: constants.NGHTTP2_REFUSED_STREAM,
  CANCEL: constants.NGHTTP2_CANCEL,
  COMPRESSION_ERROR: constants.NGHTTP2_COMPRESSION_ERROR,
  CONNECT_ERROR: constants.NGHTTP2_CONNECT_ERROR,
  ENHANCE_YOUR_CALM: constants.NGHTTP2_ENHANCE_YOUR_CALM,
  INADEQUATE_SECURITY: constants.NGHTTP2_INADEQUATE_SECURITY,
  HTTP_1_1_REQUIRED: constants.NGHTTP2_HTTP_1_1_REQUIRED,
} as const;

/** An error code of RFC 9113 §7, by name; a number for one that has none. */
export type ErrorCode = keyof typeof CODES | number;

export const isErrorName = (text: string): text is keyof typeof CODES => Object.hasOwn(CODES, text);

export const errorNumber = (code: ErrorCode): number => (typeof code === "number" ? code : CODES[code]);
