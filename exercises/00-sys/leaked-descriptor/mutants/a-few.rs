for number in 3..100 {
    let _ = nix::unistd::close(number);
}
Ok(())
