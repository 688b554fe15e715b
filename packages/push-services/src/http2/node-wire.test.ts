import { nodeWires } from "./node-wire.ts";
import { describeWire } from "./wire.contract.ts";

describeWire("node:http2", nodeWires);
