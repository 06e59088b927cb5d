# Sourced: processor_ms COMMAND... runs it with its input, and says how long processors worked on it. On
# a machine that others use as well, that says more than a clock.

processor_ms() {
    python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((used.ru_utime + used.ru_stime) * 1000))' "$@"
}
