// Mends users of a provider that says "yes" and "no" where SCIM has true and false.

import about from '../package.json' with { type: 'json' };
import { describe } from './gatewright.js';

/** @type {typeof import('gatewright:plugin/plugin@0.1.0')} */
export const plugin = {
  // There is nothing to set.
  describe: () => describe(about, { type: 'object', properties: {}, additionalProperties: false }),
  configure() {},
};

/** @type {typeof import('gatewright:plugin/provider@0.1.0')} */
export const provider = {
  // All other requests pass the plugin at no cost.
  interests: () => [{ methods: ['POST', 'PUT'], resources: ['Users'], normalize: true, present: false }],

  // Where nothing is answered, the request stays as it is.
  normalize({ body, query }) {
    const user = parse(body);
    if (user?.active !== 'yes' && user?.active !== 'no') return undefined;
    user.active = user.active === 'yes';
    const repair = { what: 'active as true or false', why: 'the provider says yes or no' };
    return { query, body: JSON.stringify(user), repairs: [repair], extra: [] };
  },

  present: () => undefined,
};

/**
 * The body, if it is a JSON object; of all others the gateway itself says what is wrong with them.
 * @param {string | undefined} body
 * @returns {Record<string, unknown> | undefined}
 */
function parse(body) {
  try {
    const value = JSON.parse(body ?? 'null');
    return typeof value === 'object' && value && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
