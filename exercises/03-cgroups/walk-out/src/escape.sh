# Your attack. A shell reads these lines; it is root, and it is in a cgroup that allows a few processes.
# When it comes to the end of them, it starts many. `$$` is its pid.

exit 1 # leave the cgroup here, and delete this line
