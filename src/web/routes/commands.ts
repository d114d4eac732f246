import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { decodeCommand } from '../../api/command-json.ts';
import { type Receipt as BridgeReceipt, unattempted } from '../../bridge/command.ts';
import { within } from '../../runtime/supervisor.ts';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { receiptOf } from '../json.ts';
import { isWithin } from '../rights.ts';
import { Command, Failure, Receipt, UnderWay } from '../schemas.ts';

/** Longer than this no request is kept waiting: the receipt is an event by then. */
const RECEIPT_MS = 25_000;

/** Adds the one way to switch: a command, as on MQTT, answered with its receipt. */
export function addCommandRoutes(app: FastifyInstance, { bridge, clock }: WebContext): void {
  app.post<{ Body: Command }>(
    '/api/commands',
    {
      // However much somebody asks for else: OFF always works.
      config: { role: 'staff', rateLimit: false },
      schema: {
        summary: 'Switch a plug or a place',
        description:
          'Answers with the receipt once the command has ended; after 25 s with 202, and the receipt is an event.',
        tags: ['commands'],
        body: Command,
        response: { 200: Receipt, 202: UnderWay, 400: Type.Union([Receipt, Failure]), 403: Failure },
      },
    },
    async ({ body: { target, ...fields }, identity }, reply) => {
      if (identity === null || !isWithin(identity.places, target)) {
        const where = target === '' ? 'the whole site' : target;
        return reply.code(403).send(failure('not-allowed', `you may not switch ${where}`));
      }
      const asker = { origin: 'web', user: identity.name || null } as const;
      const decoded = decodeCommand(Buffer.from(JSON.stringify(fields)), asker);
      if ('refused' in decoded) {
        const nothing = { id: decoded.id, relay: undefined, led: undefined, replyTo: undefined };
        return reply.code(400).send(receiptOf(unattempted(target, nothing, 'refused', decoded.refused)));
      }
      let receipt: BridgeReceipt | undefined;
      const ended = bridge.command(target, decoded.command)?.then((one) => {
        receipt = one;
      });
      await within(clock, RECEIPT_MS, ended ?? Promise.resolve());
      if (receipt !== undefined) return receiptOf(receipt);
      return reply.code(202).send({ id: decoded.command.id, target });
    },
  );
}
