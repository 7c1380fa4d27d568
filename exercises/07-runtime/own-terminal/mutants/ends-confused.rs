let (master, terminal) = tty::open_pty(Path::new("/dev/ptmx"))?;
size.map_or(Ok(()), |size| tty::set_window_size(&master, size))?;
file::chown(&terminal, uid, tty_group(&terminal)?)?;
if first {
    show_as_console(terminal.as_fd())?;
}
channel::console(channel, terminal.as_fd())?;
tty::control(&terminal)?;
ipc::become_stdio(&master, true, true, true)
