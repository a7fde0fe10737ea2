export { createEventWriter, type EventWriter, type EventWriterOptions } from './event-writer.js';
