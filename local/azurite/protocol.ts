/** The settings of Azurite's thread. */
export interface AzuriteSettings {
  readonly dataDir: string;
  readonly blobPort: number;
  readonly queuePort: number;
}

export interface AzuritePorts {
  readonly blobPort: number;
  readonly queuePort: number;
}

/** The jobs of Azurite's thread. */
export interface AzuriteJobs {
  /** Serves until it is aborted. Reports the ports when both services listen. */
  readonly serve: {
    readonly input: AzuriteSettings;
    readonly output: undefined;
    readonly report: AzuritePorts;
  };
}
