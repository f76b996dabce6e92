/** Bounds of a policy directory. */
export const directoryLimits = {
  maxFiles: 1000,
  maxFileBytes: 1024 * 1024,
  maxTotalBytes: 32 * 1024 * 1024,
  /** Documents of one file, empty ones included. */
  maxDocuments: 1000,
  /** Objects of one file, those within Lists included. */
  maxObjects: 5000,
  /** Nodes that the aliases of one YAML document may stand for, per the `yaml` package. */
  maxAliasCount: 100,
} as const;
