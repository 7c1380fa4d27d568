mount::chroot(directory)
