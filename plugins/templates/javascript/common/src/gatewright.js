// What plugins need in common. It belongs to your project: change it as you like.

/** @typedef {import('gatewright:plugin/types@0.1.0').Account} Account */
/** @typedef {import('gatewright:plugin/types@0.1.0').AttributeValue} AttributeValue */
/** @typedef {import('gatewright:plugin/types@0.1.0').Context} Context */
/** @typedef {import('gatewright:plugin/types@0.1.0').GrantKind} GrantKind */
/** @typedef {import('gatewright:plugin/types@0.1.0').Proposal} Proposal */
/** @typedef {import('gatewright:plugin/types@0.1.0').Refusal} Refusal */

/**
 * What the plugin says of itself: name, version and description of package.json, and the JSON Schema
 * of its settings.
 * @param {{ name: string, version: string, description: string }} about
 * @param {object} schema
 */
export function describe(about, schema) {
  return {
    name: about.name,
    version: about.version,
    summary: about.description,
    settingsSchema: JSON.stringify(schema),
    extra: [],
  };
}

/**
 * Refuses settings that match the schema and still cannot be used. Pointers are JSON Pointers
 * (RFC 6901).
 * @param {...{ pointer: string, message: string }} problems
 * @returns {never}
 */
export function refuseSettings(...problems) {
  throw problems;
}

/** Thrown by a decision: the account keeps what it has, and an alert says why. */
export class Refused extends Error {}

/**
 * Decides about one account after the other. An answer may depend on its own account only.
 * @template Input, Decision
 * @param {(context: Context, input: Input) => Decision} decide
 * @returns {(context: Context, inputs: Input[]) => ({ tag: 'ok', val: Decision } | { tag: 'err', val: Refusal })[]}
 */
export function decideEach(decide) {
  return (context, inputs) =>
    inputs.map((input) => {
      try {
        return { tag: 'ok', val: decide(context, input) };
      } catch (error) {
        if (error instanceof Refused) {
          return { tag: 'err', val: { message: error.message, extra: [] } };
        }
        throw error;
      }
    });
}

/**
 * @param {GrantKind} kind
 * @returns {(name: string, reason: string) => Proposal}
 */
const proposal = (kind) => (name, reason) => ({ kind, name, reason, basis: { tag: 'rule' } });

/** Proposals of a rule of your own: the role's or seat's name, and the reason that people will read. */
export const baseRole = proposal('base-role');
export const customRole = proposal('custom-role');
export const seat = proposal('seat');

/**
 * The value of a SCIM attribute by its full path, of the first active user that has it, else of the
 * first inactive one. Case does not count.
 * @param {Account} account
 * @param {string} path
 * @returns {AttributeValue['val'] | undefined}
 */
export function attribute(account, path) {
  const users = [...account.users.filter((user) => user.active), ...account.users.filter((user) => !user.active)];
  for (const user of users) {
    const all = [...user.attributes, ...user.customAttributes];
    const found = all.find(({ name }) => name.toLowerCase() === path.toLowerCase());
    if (found) return found.value.val;
  }
  return undefined;
}

/**
 * What the rows of the mapping give for the groups that the person is in: the base role of the highest
 * rank, and all else once. Of several rows that give the same the first is the reason.
 * @param {Context} context
 * @param {Account} account
 * @param {GrantKind[]} kinds
 * @returns {Proposal[]}
 */
function mapped(context, account, kinds) {
  const { baseRoles, customRoles, seatTypes } = context.catalogue;
  const targets = { 'base-role': baseRoles, 'custom-role': customRoles, seat: seatTypes };
  /** @type {Map<string, { rank: number, proposal: Proposal }>} */
  const found = new Map();
  account.mapping.forEach(({ kind, target, membership }, place) => {
    const { ended, groupName } = account.memberships[membership];
    // Options that are not there are null.
    if (!kinds.includes(kind) || ended != null) return;
    const { name } = targets[kind][target];
    const rank = kind === 'base-role' ? baseRoles[target].rank : 0;
    const key = kind === 'base-role' ? kind : `${kind} ${name}`;
    const known = found.get(key);
    if (!known || rank < known.rank) {
      const reason = `member of "${groupName}"`;
      found.set(key, { rank, proposal: { kind, name, reason, basis: { tag: 'mapping-entry', val: place } } });
    }
  });
  return [...found.values()].map(({ proposal }) => proposal);
}

/**
 * The roles that the mapping gives, and the catalogue's default where it gives no base role.
 * @param {Context} context
 * @param {Account} account
 */
export function mappedRoles(context, account) {
  const roles = mapped(context, account, ['base-role', 'custom-role']);
  const standard = context.catalogue.baseRoles.find((role) => role.isDefault);
  if (standard && !roles.some((role) => role.kind === 'base-role')) {
    roles.unshift(baseRole(standard.name, 'default role'));
  }
  return roles;
}

/**
 * The seats that the mapping gives.
 * @param {Context} context
 * @param {Account} account
 */
export const mappedSeats = (context, account) => mapped(context, account, ['seat']);
