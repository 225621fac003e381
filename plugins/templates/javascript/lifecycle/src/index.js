// Deactivates the accounts of people of one type, such as alumni.

import about from '../package.json' with { type: 'json' };
import { attribute, decideEach, describe, refuseSettings } from './gatewright.js';

/** @type {{ attribute: string, value: string }} */
let settings;

/** @type {typeof import('gatewright:plugin/plugin@0.1.0')} */
export const plugin = {
  describe: () =>
    // Settings are checked against it, and administrators read the descriptions.
    describe(about, {
      type: 'object',
      properties: {
        attribute: {
          type: 'string',
          description: 'The SCIM attribute to look at, by its full path, such as userType.',
        },
        value: {
          type: 'string',
          description: 'What it says of those who may not use the application, in upper or lower case.',
        },
      },
      required: ['attribute', 'value'],
      additionalProperties: false,
    }),

  // Goes before each call, with settings that match the schema.
  configure(json) {
    settings = JSON.parse(json);
    if (settings.value === '') {
      refuseSettings({ pointer: '/value', message: 'must not be empty' });
    }
  },
};

/** @type {typeof import('gatewright:plugin/lifecycle-policy@0.1.0')} */
export const lifecyclePolicy = {
  decide: decideEach((_, account) => {
    const said = attribute(account, settings.attribute);
    if (typeof said === 'string' && said.toLowerCase() === settings.value.toLowerCase()) {
      return { status: 'deactivated', reason: `${settings.attribute} is ${settings.value}`, extra: [] };
    }
    if (account.users.some((user) => user.active)) {
      return { status: 'active', reason: 'the user is active', extra: [] };
    }
    return { status: 'deactivated', reason: 'no user is active', extra: [] };
  }),
};
