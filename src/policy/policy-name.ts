/** How a policy is called, for people and as a key: `prod-release`, or `shop/own` for one of a namespace. */
export function policyName({
  name,
  namespace,
}: {
  readonly name: string;
  readonly namespace?: string | undefined;
}): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
