import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CustomRequests, QuietRequest } from '#core/protocol/messages.ts';

/** Arguments and answers of the requests that the adapter serves. Anything else is refused by name. */
export interface ServedRequests {
  initialize: {
    args: DebugProtocol.InitializeRequestArguments;
    body: DebugProtocol.Capabilities;
  };
  launch: { args: unknown; body: undefined };
  configurationDone: { args: unknown; body: undefined };
  restart: { args: DebugProtocol.RestartArguments | undefined; body: undefined };
  disconnect: { args: unknown; body: undefined };
  cancel: { args: DebugProtocol.CancelArguments | undefined; body: undefined };
  terminate: { args: unknown; body: undefined };
  setBreakpoints: {
    args: DebugProtocol.SetBreakpointsArguments;
    body: DebugProtocol.SetBreakpointsResponse['body'];
  };
  breakpointLocations: {
    args: DebugProtocol.BreakpointLocationsArguments | undefined;
    body: DebugProtocol.BreakpointLocationsResponse['body'];
  };
  setFunctionBreakpoints: {
    args: DebugProtocol.SetFunctionBreakpointsArguments;
    body: DebugProtocol.SetFunctionBreakpointsResponse['body'];
  };
  setInstructionBreakpoints: {
    args: DebugProtocol.SetInstructionBreakpointsArguments;
    body: DebugProtocol.SetInstructionBreakpointsResponse['body'];
  };
  disassemble: {
    args: DebugProtocol.DisassembleArguments;
    body: NonNullable<DebugProtocol.DisassembleResponse['body']>;
  };
  setExceptionBreakpoints: { args: DebugProtocol.SetExceptionBreakpointsArguments; body: undefined };
  exceptionInfo: { args: unknown; body: DebugProtocol.ExceptionInfoResponse['body'] };
  continue: { args: unknown; body: DebugProtocol.ContinueResponse['body'] };
  next: { args: DebugProtocol.NextArguments; body: undefined };
  stepIn: { args: DebugProtocol.StepInArguments; body: undefined };
  stepOut: { args: DebugProtocol.StepOutArguments; body: undefined };
  pause: { args: unknown; body: undefined };
  threads: { args: unknown; body: DebugProtocol.ThreadsResponse['body'] };
  stackTrace: {
    args: DebugProtocol.StackTraceArguments;
    body: DebugProtocol.StackTraceResponse['body'];
  };
  source: { args: DebugProtocol.SourceArguments; body: DebugProtocol.SourceResponse['body'] };
  scopes: { args: DebugProtocol.ScopesArguments; body: DebugProtocol.ScopesResponse['body'] };
  variables: { args: DebugProtocol.VariablesArguments; body: DebugProtocol.VariablesResponse['body'] };
  setVariable: {
    args: DebugProtocol.SetVariableArguments;
    body: DebugProtocol.SetVariableResponse['body'];
  };
  evaluate: { args: DebugProtocol.EvaluateArguments; body: DebugProtocol.EvaluateResponse['body'] };
  setExpression: {
    args: DebugProtocol.SetExpressionArguments & QuietRequest;
    body: DebugProtocol.SetExpressionResponse['body'];
  };
  readMemory: {
    args: DebugProtocol.ReadMemoryArguments;
    body: NonNullable<DebugProtocol.ReadMemoryResponse['body']>;
  };
  writeMemory: {
    args: DebugProtocol.WriteMemoryArguments;
    body: NonNullable<DebugProtocol.WriteMemoryResponse['body']>;
  };
  'bpf/registers': {
    args: CustomRequests['bpf/registers']['args'] | undefined;
    body: CustomRequests['bpf/registers']['reply'];
  };
  'bpf/stack': {
    args: CustomRequests['bpf/stack']['args'] | undefined;
    body: CustomRequests['bpf/stack']['reply'];
  };
  'bpf/programText': {
    args: CustomRequests['bpf/programText']['args'] | undefined;
    body: CustomRequests['bpf/programText']['reply'];
  };
  'bpf/engine': {
    args: CustomRequests['bpf/engine']['args'] | undefined;
    body: CustomRequests['bpf/engine']['reply'];
  };
  'bpf/jit': {
    args: CustomRequests['bpf/jit']['args'] | undefined;
    body: CustomRequests['bpf/jit']['reply'];
  };
  'bpf/jitRows': {
    args: CustomRequests['bpf/jitRows']['args'];
    body: CustomRequests['bpf/jitRows']['reply'];
  };
  'bpf/jitText': {
    args: CustomRequests['bpf/jitText']['args'];
    body: CustomRequests['bpf/jitText']['reply'];
  };
  'bpf/jitBreakpoint': {
    args: CustomRequests['bpf/jitBreakpoint']['args'];
    body: CustomRequests['bpf/jitBreakpoint']['reply'];
  };
  'bpf/stats': {
    args: CustomRequests['bpf/stats']['args'] | undefined;
    body: CustomRequests['bpf/stats']['reply'];
  };
}

/** Name of a request that the adapter answers. */
export type ServedCommand = keyof ServedRequests;

/** A function for each request; it resolves to the answer's body or rejects with the error to send. */
export type RequestHandlers = {
  readonly [C in ServedCommand]: (args: ServedRequests[C]['args']) => Promise<ServedRequests[C]['body']>;
};
