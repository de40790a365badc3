"""What moves devices and reads them: one file for each protocol, all behind `driver.Driver`."""
