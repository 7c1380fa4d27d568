setsid sleep 60 &
