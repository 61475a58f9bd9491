# Net::EPP against a bundled registry: log in, read a contact, change its telephone number, read it back.
use strict;
use warnings;
use JSON::PP;
use Net::EPP::Simple;

sub slurp { open(my $in, '<', $_[0]) or die "$_[0]: $!"; local $/; my $all = <$in>; return $all }

my ($file, $handle) = @ARGV;
my $line = decode_json(slurp($file));
my ($port) = $line->{address} =~ /:(\d+)$/;
my $password = slurp($line->{password_file});
$password =~ s/\s+$//;
my $epp = Net::EPP::Simple->new(
    host => 'localhost', port => $port, user => $line->{user}, pass => $password, timeout => 10,
    cert => $line->{cert}, key => $line->{key}, verify => 1, ca_file => $line->{ca}, reconnect => 0, load_config => 0,
) or die "login: $Net::EPP::Simple::Message\n";
my $wanted = '+43.112345678';
my $before = $epp->contact_info($handle) or die "info: " . $epp->message . "\n";
die "the number is there already\n" if ($before->{voice} // '') eq $wanted;
$epp->update_contact({ id => $handle, chg => { voice => $wanted } }) or die "update: " . $epp->message . "\n";
my $after = $epp->contact_info($handle) or die "info: " . $epp->message . "\n";
die "the change is not there\n" unless $after->{voice} eq $wanted;
$epp->logout;
print "Net::EPP: logged in, read and updated a contact\n";
