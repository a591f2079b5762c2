/** The image's health check: whether this relay would take a new connection now. */
const port = process.env.PORT || '5103';
try {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
    signal: AbortSignal.timeout(4_000),
  });
  if (!response.ok) throw new Error(`/health/ready answers ${response.status}`);
} catch (error) {
  process.stderr.write(`${error.cause?.code ?? error.message}\n`);
  process.exitCode = 1;
}
