// Gives a seat to those who have one of some roles, and to all others the seats that their groups give.

import about from '../package.json' with { type: 'json' };
import { decideEach, describe, mappedSeats, refuseSettings, seat } from './gatewright.js';

/** @type {{ roles: string[], seat: string }} */
let settings;

/** @type {typeof import('gatewright:plugin/plugin@0.1.0')} */
export const plugin = {
  describe: () =>
    // Settings are checked against it, and administrators read the descriptions.
    describe(about, {
      type: 'object',
      properties: {
        roles: { type: 'array', items: { type: 'string' }, description: 'The roles whose holders get the seat.' },
        seat: { type: 'string', description: 'The seat.' },
      },
      required: ['roles', 'seat'],
      additionalProperties: false,
    }),

  // Goes before each call, with settings that match the schema.
  configure(json) {
    settings = JSON.parse(json);
    if (settings.roles.length === 0) {
      refuseSettings({ pointer: '/roles', message: 'must name a role' });
    }
  },
};

/** @type {typeof import('gatewright:plugin/seat-policy@0.1.0')} */
export const seatPolicy = {
  // The answer is the whole of the account's seats: what is not in it is taken away.
  decide: decideEach((context, { account, roles }) => {
    const role = roles.find(({ name }) => settings.roles.includes(name));
    const seats = role ? [seat(settings.seat, `has the role ${role.name}`)] : mappedSeats(context, account);
    return { seats, extra: [] };
  }),
};
