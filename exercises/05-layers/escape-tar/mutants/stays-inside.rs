vec![file(diary, text)]
