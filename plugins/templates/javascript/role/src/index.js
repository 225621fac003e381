// Gives new accounts a modest role for their first days; after that the groups decide.

import about from '../package.json' with { type: 'json' };
import { baseRole, decideEach, describe, mappedRoles, refuseSettings } from './gatewright.js';

const DAY = 24 * 60 * 60 * 1000;

/** @type {{ days: number, role: string }} */
let settings;

/** @type {typeof import('gatewright:plugin/plugin@0.1.0')} */
export const plugin = {
  describe: () =>
    // Settings are checked against it, and administrators read the descriptions.
    describe(about, {
      type: 'object',
      properties: {
        days: { type: 'integer', minimum: 0, description: 'For how many days an account counts as new.' },
        role: { type: 'string', description: 'The base role of new accounts.' },
      },
      required: ['days', 'role'],
      additionalProperties: false,
    }),

  // Goes before each call, with settings that match the schema.
  configure(json) {
    settings = JSON.parse(json);
    if (settings.days < 1 || settings.days > 365) {
      refuseSettings({ pointer: '/days', message: 'must be from 1 to 365' });
    }
  },
};

/** @type {typeof import('gatewright:plugin/role-policy@0.1.0')} */
export const rolePolicy = {
  // The answer is the whole of the account's roles: what is not in it is taken away.
  decide: decideEach((context, account) => {
    const until = account.created + settings.days * DAY;
    if (context.now < until) {
      const role = baseRole(settings.role, `came less than ${settings.days} days ago`);
      return { roles: [role], askAgain: until, extra: [] };
    }
    return { roles: mappedRoles(context, account), extra: [] };
  }),
};
