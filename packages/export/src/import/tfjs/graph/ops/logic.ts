/** Comparison, choice and types. */
import {
  And,
  Equal,
  Greater,
  GreaterOrEqual,
  Less,
  LessOrEqual,
  Not,
  type OpDefinition,
  Or,
  Unsqueeze,
  type Value,
  Where,
} from '@cyclegan/graph';
import { alike, type Call, type Converter, castTo } from '../call.js';

function compare(op: OpDefinition): Converter {
  return ({ graph, input }) => graph.op(op, alike(graph, [input(0), input(1)]));
}

/** A condition of rank 1 chooses whole samples in Select, and broadcasts from behind in SelectV2. */
function select(call: Call, condition: Value): Value {
  const { graph, input } = call;
  return graph.op(Where, [condition, ...alike(graph, [input(1), input(2)])]);
}

export const logic: Readonly<Record<string, Converter>> = {
  Equal: compare(Equal),
  NotEqual: ({ graph, input }) => graph.op(Not, [graph.op(Equal, alike(graph, [input(0), input(1)]))]),
  Greater: compare(Greater),
  GreaterEqual: compare(GreaterOrEqual),
  Less: compare(Less),
  LessEqual: compare(LessOrEqual),
  LogicalAnd: compare(And),
  LogicalOr: compare(Or),
  LogicalNot: ({ graph, input }) => graph.op(Not, [input(0)]),
  Select: (call) => {
    const { graph, input } = call;
    const lead = input(0).shape.length;
    const rank = input(1).shape.length;
    const inner = Array.from({ length: Math.max(rank - lead, 0) }, (_, i) => lead + i);
    const samples = lead === 1 && inner.length > 0;
    return select(call, samples ? graph.op(Unsqueeze, [input(0), graph.ints(inner)]) : input(0));
  },
  SelectV2: (call) => select(call, call.input(0)),
  Cast: ({ graph, input, attributes }) => castTo(graph, input(0), attributes.dtype('DstT', 'float32')),
};
