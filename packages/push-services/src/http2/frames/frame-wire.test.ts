import { describeWire } from "../wire.contract.ts";
import { frameWires } from "./frame-wire.ts";

describeWire("our own frames", frameWires);
