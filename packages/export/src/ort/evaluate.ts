/** Runs a graph without inputs in onnxruntime-node: how passes learn what constants come to. Knows no passes. */
import { evaluator } from './graph-session.js';
import { openCpuSession } from './session.js';

/**
 * @param model ONNX bytes of a graph without inputs
 * @returns all outputs by name, the caller's own
 * @throws what onnxruntime throws for a model that it cannot run
 */
export const evaluate = evaluator(openCpuSession);
