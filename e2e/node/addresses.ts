/** Address of the node in its own network namespace: API server, kubelet and registries listen there. */
export const nodeAddress = '10.200.0.1';
/** Network of the Pods. */
export const podNetwork = '10.244.0.0/24';
export const nodeName = 'e2e-node';
