throw new Error('native parts of test clients are left out on purpose');
